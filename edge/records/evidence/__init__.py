"""Evidence: what the checks saw of each item, as files named by what is in them, with the ledger pointing to them."""
