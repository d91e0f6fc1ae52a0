"""The booksellers' pages, below ``/staff``: for the roles staff and admin, kept by no cache."""
