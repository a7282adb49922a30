"""Answer to reader: every channel renders the one `Answer`."""
