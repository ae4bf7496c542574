"""What others may ask or do: with quotes, and with what our own people prepare to become some."""
