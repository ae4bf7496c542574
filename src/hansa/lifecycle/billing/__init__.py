"""Who owes whom for a month, and the paper that says so.

Takes in holdings and what rating says their usage is worth; hands on bills and supplier invoices.
"""
