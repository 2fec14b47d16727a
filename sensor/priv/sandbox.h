/* What each process gives up for good. */
#ifndef SEALDNS_PRIV_SANDBOX_H
#define SEALDNS_PRIV_SANDBOX_H

/* The parser reads every foreign byte: no capability, no new privileges, no file it has not open,
 * no socket it has not open, no program or process, no memory that becomes code, no signal to
 * another, no BPF but elements of a map it holds. It is a list of what is allowed; all else fails
 * with EPERM, and a line of the kernel's log where that may be asked for. Call with all
 * threads still to be started. SD_EPERM: the kernel refused; the process must not go on. */
int sandbox_parser(void);

/* The recorder keeps its own files and connections, without capability. As above. */
int sandbox_recorder(void);

/* The guard of a change keeps CAP_NET_ADMIN, with which it puts the old ruleset back, and nothing
 * else. As above. */
int sandbox_guard(void);

#endif
