"""The lake: a lane's ledger as Parquet tables, for those who ask about many lanes and months."""
