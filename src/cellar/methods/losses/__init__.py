"""One method, one short file, read beside its formula."""
