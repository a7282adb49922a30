"""`make bench`: how right and how fast Zhice is, beside BM25, its encoder alone and the usual tutorial's stack."""
