"""The guides of docs/guides: their commands are run, and their configuration is used."""
