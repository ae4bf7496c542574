"""Voice trunks on Kamailio and rtpengine: a session border controller for each private network.

Takes in intents for trunks; hands on checks, and a record of every call from files.
"""
