## English. One sentence a message; `cargo build` turns each into a function of the same name.

app-name = Vet Clinic
