"""The portal: what sales, operations, finance, alliance managers and customers open in a browser.

In: a browser's requests, of a person with roles. Out: pages, each for one job, made on the server.
"""
