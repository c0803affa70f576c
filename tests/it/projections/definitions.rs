//! The migration makes the tables that a rebuild makes.

use counterfoil::projections;

#[test]
fn the_first_version_is_made_by_the_migration() {
    let migration = include_str!("../../../migrations/0004_read_models.sql");
    for projection in projections::all() {
        let definition = projection.definition().replace("_vN", "_v1");
        assert!(migration.contains(&definition), "{} differs from its migration", projection.name());
        for table in projection.tables() {
            let view = format!("create view read.{table} as select * from read.{table}_v1;");
            assert!(migration.contains(&view), "{table} has no view");
        }
    }
}
