//! Does the program do what its command line and its settings say?

mod commands;
mod demo;
mod dependencies;
mod doctor;
mod example;
mod import;
mod import_files;
mod outages;
mod report;
mod serve;
mod settings;
mod shards;
mod traces;
