"""The names of the services, as they stand in certificates, tokens, settings and commands."""

FRONTEND = "frontend"
CATALOG = "catalog"
ORDER = "order"
#: The person at the machine: bazar catalogue, bazar doctor. Has certificates of its own.
OPERATOR = "operator"

#: In the order of their start: each finds the one that it calls.
SERVICES = (CATALOG, ORDER, FRONTEND)
