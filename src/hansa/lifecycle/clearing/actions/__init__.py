"""What others may ask or do here: parties' particulars, netting among many, payments."""
