"""The month between partners: compared, confirmed with a signature, invoiced, netted, proved.

Takes in drafts of bills and partners' notices; hands on confirmed invoices and nets.
"""
