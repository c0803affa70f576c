-- Lets the service's role log in, without a password, and gives each of its sessions limits.
do $$
begin
    alter role counterfoil_service login;
    alter role counterfoil_service set statement_timeout = STATEMENT_TIMEOUT;
    alter role counterfoil_service set lock_timeout = LOCK_TIMEOUT;
    alter role counterfoil_service set idle_in_transaction_session_timeout = IDLE_IN_TRANSACTION_SESSION_TIMEOUT;
end
$$
