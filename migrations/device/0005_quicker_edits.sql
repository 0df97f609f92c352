-- What a row of the search index was made of, as a sum: the index keeps no text, and writing a row that says the same
-- costs more than everything else that an edit writes. A row that is missing here is written anew.
CREATE TABLE indexed (
    row INTEGER PRIMARY KEY,
    sum INTEGER NOT NULL
);

-- A client's page lists their appointments.
CREATE INDEX appointment_client ON appointment (client, start);
