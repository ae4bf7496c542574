"""How a node touches its own network.

Takes in an intent (what should be); hands on what the network says is.
"""
