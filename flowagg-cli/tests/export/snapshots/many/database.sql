-- Creates the database of the table. Run this first.
CREATE DATABASE IF NOT EXISTS `flowagg`
