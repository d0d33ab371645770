"""Documents: Word and Writer templates filled with the data of a record, PDF of them, certificates, personal-data forms."""
