"""The gateway's statements of settled operations, compared with our books (GAT-4).

``reading`` says what a file holds, or what is wrong with it; ``matching`` compares operations with attempts, invoices
and refunds in bulk; ``importing`` previews, keeps, compares again and files what differs.
"""
