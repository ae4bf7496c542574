"""What was asked and answered between nodes, signed, and kept so that it can be proved.

Takes in signed messages as they pass; hands on proof, to anybody who has the keys.
"""
