"""What others may ask or do to settle a month with a partner.

statements: made, compared, answered. hearing: what partners tell us. positions: where we stand,
netting and books. shares: what a share of revenue comes to.
shelf: statements and customers' bills as the two sides find them again.
"""
