-- Which migrations were applied?
select version, checksum, success from _sqlx_migrations order by version
