"""What every TM Forum resource shares: all rules of TMF630, once.

Takes in declarations of resources; hands on operations, notices and OpenAPI documents.
"""
