"""Tables 1 to 6."""
