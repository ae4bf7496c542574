"""What a customer sees of itself, under the operator's brand and nobody else's name.

In: what a customer's person asks; it finds that customer's own rows alone. Out: a page or a
file, or a change with its entry in the audit log.
"""
