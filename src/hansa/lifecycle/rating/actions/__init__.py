"""What others may ask or do about rating: months of holdings, and files of events."""
