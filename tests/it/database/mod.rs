//! A level higher: a database is started, and the parts that use it, in this process. No server listens.

pub mod audit;
mod consumer;
mod journal;
mod leases;
mod nodes;
pub mod postgres;
mod projections;
pub mod roles;
mod scheduler;
mod statement;
mod stripe;
mod upgrades;
