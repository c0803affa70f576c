//! Beside the other levels: the sources and the pages are read. Does the code keep its own laws, and do the pages say
//! what is so? Only `sql` starts a database.

pub mod architecture;
mod distributed;
mod files;
mod levels;
mod locks;
mod readme;
mod sql;
mod vocabulary;
