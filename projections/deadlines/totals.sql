-- What does one version of deadlines come to?
--
-- The scheduler deletes what it has seen to, so two versions need not be equal.
select 'not compared'
