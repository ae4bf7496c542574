"""What our values look like as TM Forum v4 resources: one file a document, write and read.

Takes in values or checked JSON; hands on the other. Extensions of ours are named `hansa…`.
"""
