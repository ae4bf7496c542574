"""The values of the contract in Sonata's shapes, written and read.

In: values of `federation.contract` and `federation.shelf`. Out: JSON values, and back.
"""
