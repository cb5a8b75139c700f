-- The database of the table: run this first.
CREATE DATABASE IF NOT EXISTS `flowagg`
