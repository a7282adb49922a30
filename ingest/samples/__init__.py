"""Sample policies of the invented city of Haizhou 海州市, written for this project; nothing in them is in force."""
