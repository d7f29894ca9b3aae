# Run once, when the data folder is made. Another app with a database: one more `database` line, one more secret.
database() {
    psql --username postgres --set ON_ERROR_STOP=1 --set name="$1" --set password="$(cat "/run/secrets/$1")" <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
}

database sso
database web
psql --username postgres --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/monitor)" <<'SQL'
create role monitor login password :'password' in role pg_monitor;
SQL
