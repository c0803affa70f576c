-- On which node is a shard's part of the journal?
select node.nodename, node.nodeport
from pg_dist_placement placement
join pg_dist_node node using (groupid)
where placement.shardid = get_shard_id_for_distribution_column('ledger.heads', $1::smallint)
    and node.noderole = 'primary'
