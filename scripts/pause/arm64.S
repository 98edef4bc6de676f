// The first process of a pod on arm64: see amd64.S.
.globl _start
_start:
	mov x8, #134			// rt_sigaction(SIGCHLD, {SIG_IGN}, NULL, 8)
	mov x0, #17
	adr x1, ignore
	mov x2, #0
	mov x3, #8
	svc #0
	mov x8, #135			// rt_sigprocmask(SIG_BLOCK, {SIGINT, SIGTERM}, NULL, 8)
	mov x0, #0
	adr x1, ends
	mov x2, #0
	mov x3, #8
	svc #0
again:	mov x8, #137			// rt_sigtimedwait({SIGINT, SIGTERM}, NULL, NULL, 8)
	adr x0, ends
	mov x1, #0
	mov x2, #0
	mov x3, #8
	svc #0
	tbnz w0, #31, again
	mov x8, #93			// exit(0)
	mov x0, #0
	svc #0
.balign 8
ignore:	.quad 1, 0, 0, 0
ends:	.quad 0x4002
