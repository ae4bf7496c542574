"""What rating keeps: tables of what is decided, and files of what was rated event by event."""
