"""The front-end's database, from the first schema to the current one (Alembic)."""
