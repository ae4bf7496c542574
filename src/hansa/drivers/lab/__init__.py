"""A network of real daemons in network namespaces, on one machine.

Takes in what a family's files have worked out; hands on what the daemons and the kernel say.
"""
