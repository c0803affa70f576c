-- Which rows are in one version of a table only: too many in the live one, or missing there?
with unexpected as (
    select to_jsonb(t)::text as row from read.TABLE_vN t
    except all
    select to_jsonb(t)::text from read.TABLE_vM t
), missing as (
    select to_jsonb(t)::text as row from read.TABLE_vM t
    except all
    select to_jsonb(t)::text from read.TABLE_vN t
)
select
    (select count(*) from unexpected) + (select count(*) from missing),
    (select min(row) from unexpected),
    (select min(row) from missing)
