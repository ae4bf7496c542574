"""Pages about the alliance: agreements with all signatures, launches gate by gate, partners.

Takes in what staff ask; calls agreement, and the directory of partners, for it.
"""
