-- Run once, as superuser, on an empty cluster: a database for each server, which no other server may open.
-- The passwords come from the environment of psql (14 or newer), so that they stand in no file and no list of processes.
\getenv frontend_password BAZAR_FRONTEND_PASSWORD
\getenv catalog_password BAZAR_CATALOG_PASSWORD
\getenv order_password BAZAR_ORDER_PASSWORD

CREATE ROLE bazar_frontend LOGIN PASSWORD :'frontend_password';
CREATE ROLE bazar_catalog LOGIN PASSWORD :'catalog_password';
CREATE ROLE bazar_order LOGIN PASSWORD :'order_password';

CREATE DATABASE bazar_frontend OWNER bazar_frontend ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE bazar_catalog OWNER bazar_catalog ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE bazar_order OWNER bazar_order ENCODING 'UTF8' TEMPLATE template0;

REVOKE CONNECT, TEMPORARY ON DATABASE bazar_frontend, bazar_catalog, bazar_order FROM PUBLIC;
