-- The journal may have several shards, each with an equal part of the accounts: part `slot` of `slots`.
-- How many is said once, before the database is migrated for the first time, by the setting counterfoil.shards of the
-- session. It never changes: an event's hash has its shard in it.
alter table ledger.heads
    add column slot smallint not null default 0,
    add column slots smallint not null default 1,
    add constraint heads_slot check (slot >= 0 and slot < slots);
comment on column ledger.heads.slot is
    'The accounts in the shard: those whose digest, the first four bytes of sha256(account), is this modulo slots.';
comment on column ledger.heads.slots is 'How many shards the journal has. The same in each row.';

-- The numbers are not 0, 1, 2 …: where tables are distributed by hash, those fall into fewer groups than there are
-- shards. Each number here is the least one that falls into its own of `slots` equal parts of the hash values.
do $$
declare
    wanted constant integer := coalesce(nullif(current_setting('counterfoil.shards', true), ''), '1')::integer;
begin
    if wanted = 1 or exists (select from ledger.heads where position > 0) then
        return;
    end if;
    if wanted not in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) then
        raise exception 'a journal has 1, 2, 4 … or 1024 shards, and not %', wanted;
    end if;
    delete from ledger.heads;
    insert into ledger.heads (shard, slot, slots, position, block, hash)
    select min(number), part, wanted, 0, 0, '\x'
    from (
        select
            number,
            ((hashint2(number::smallint)::bigint + 2147483648) / (4294967296 / wanted))::integer as part
        from generate_series(0, 32767) as number
    ) numbers
    group by part;
end
$$;
