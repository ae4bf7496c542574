"""Papers for others' programs and eyes: invoices as UBL and PDF, statements as sheets.

What is written here is decided elsewhere; nothing in this folder asks or changes anything.
"""
