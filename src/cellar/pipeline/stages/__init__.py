"""One short file a stage: read, call the library, write. Stage, command, rule and file share their name."""
