"""Every page of the portal, area by area: parse, one call of a room's action, render.

In: what a person asks. Out: a page, or a change with its entry in the audit log.
"""
