"""What this node proves itself by: its ring of keys, its certificates, signatures and mandates.

Takes in: key files of the node's folder, cards of partners. Hands on: signed messages and papers.
"""
