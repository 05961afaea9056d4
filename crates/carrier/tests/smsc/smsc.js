// A message centre for the tests, made of the package `smpp` by others. It listens on a free port of the loopback, or on
// the one of its first argument, says `listening PORT`, and writes what comes as one JSON object a line. What it is to do
// comes the same way over its standard input. What is not acknowledged with success it never sends again:
//   {"do":"set", ...}          sets what is in `state`
//   {"do":"answer"}            gives the answers that were kept back
//   {"do":"release"}           sends the receipts that were kept back
//   {"do":"deliver", ...}      a deliver_sm with these fields over the first connection, `count` times
//   {"do":"drop"}              cuts all connections
//   {"do":"unbind"}            takes leave of all connections
//   {"do":"stats"}             answers with counts
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const state = {
  // Milliseconds before an answer; null is when it is told to answer.
  delay: 0,
  // A status for each number of `destination_addr`, or for all under `*`.
  status: {},
  // How often a status is given before it is ESME_ROK again; null is for ever.
  times: {},
  // Whether and how receipts are sent: null, "text" or "tlv".
  receipts: null,
  // Whether receipts are kept back.
  keeps: false,
  // Whether binds are refused.
  closed: false,
  // Whether each submission, and each answer to what was delivered, is not told.
  quiet: false,
};
const stats = { submitted: 0, accepted: 0, outstanding: 0, most: 0, first: 0, last: 0, binds: 0, unbinds: 0, links: 0 };
// How often each number was accepted, and each status was the answer to a deliver_sm.
const numbers = new Map();
const statuses = {};
const sessions = new Set();
const answers = [];
const receipts = [];
let ids = 0;

function say(what) {
  process.stdout.write(JSON.stringify(what) + '\n');
}

function statusFor(to) {
  const key = to in state.status ? to : '*';
  const status = state.status[key] || 0;
  if (status && state.times[key] != null) {
    if (state.times[key] <= 0) return 0;
    state.times[key] -= 1;
  }
  return status;
}

function receipt(session, pdu, id) {
  const base = {
    source_addr_ton: pdu.dest_addr_ton,
    source_addr_npi: pdu.dest_addr_npi,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
  };
  if (state.receipts === 'tlv') {
    session.deliver_sm({ ...base, receipted_message_id: id, message_state: 2, short_message: '' });
  } else {
    const text = `id:${id} sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:DELIVRD err:000 text:`;
    session.deliver_sm({ ...base, short_message: text });
  }
}

const server = smpp.createServer((session) => {
  sessions.add(session);
  stats.links += 1;
  session.on('error', () => {});
  session.on('close', () => {
    sessions.delete(session);
    stats.links -= 1;
    say({ event: 'closed' });
  });
  session.on('bind_transceiver', (pdu) => {
    const ok = !state.closed && pdu.system_id === 'muster' && pdu.password === 'secret';
    session.send(pdu.response({ command_status: ok ? 0 : smpp.ESME_RBINDFAIL }));
    if (!ok) return session.close();
    stats.binds += 1;
    say({ event: 'bound', version: pdu.interface_version });
  });
  session.on('enquire_link', (pdu) => {
    say({ event: 'enquired' });
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    stats.unbinds += 1;
    say({ event: 'unbound', outstanding: stats.outstanding });
    session.send(pdu.response());
    session.close();
  });
  session.on('deliver_sm_resp', (pdu) => {
    statuses[pdu.command_status] = (statuses[pdu.command_status] || 0) + 1;
    if (!state.quiet) say({ event: 'delivered', sequence: pdu.sequence_number, status: pdu.command_status });
  });
  session.on('generic_nack', (pdu) => say({ event: 'nack', status: pdu.command_status }));
  session.on('submit_sm', (pdu) => {
    const now = Date.now();
    stats.submitted += 1;
    stats.first = stats.first || now;
    stats.last = now;
    stats.outstanding += 1;
    stats.most = Math.max(stats.most, stats.outstanding);
    const status = statusFor(pdu.destination_addr);
    const id = `m${++ids}`;
    if (!state.quiet) {
      const content = pdu.short_message;
      say({
        event: 'submitted',
        id,
        from: pdu.source_addr,
        from_ton: pdu.source_addr_ton,
        to: pdu.destination_addr,
        to_ton: pdu.dest_addr_ton,
        esm_class: pdu.esm_class,
        data_coding: pdu.data_coding,
        registered: pdu.registered_delivery,
        validity: pdu.validity_period,
        text: typeof content.message === 'string' ? content.message : content.message.toString('hex'),
        udh: content.udh ? Buffer.concat(content.udh).toString('hex') : null,
      });
    }
    const answer = () => {
      stats.outstanding -= 1;
      if (status) return session.send(pdu.response({ command_status: status }));
      stats.accepted += 1;
      numbers.set(pdu.destination_addr, (numbers.get(pdu.destination_addr) || 0) + 1);
      session.send(pdu.response({ message_id: id }));
      if (!state.receipts || !pdu.registered_delivery) return;
      if (state.keeps) receipts.push(() => receipt(session, pdu, id));
      else receipt(session, pdu, id);
    };
    if (state.delay === null) answers.push(answer);
    else if (state.delay) setTimeout(answer, state.delay);
    else answer();
  });
});

const actions = {
  set: (what) => Object.assign(state, what),
  answer: () => answers.splice(0).forEach((answer) => answer()),
  release: () => receipts.splice(0).forEach((send) => send()),
  deliver: (what) => {
    for (const session of sessions) {
      const fields = { ...what };
      if (fields.hex !== undefined) fields.short_message = Buffer.from(fields.hex, 'hex');
      delete fields.hex;
      for (let count = what.count || 1; count > 0; count--) session.deliver_sm({ ...fields });
      break;
    }
  },
  drop: () => {
    stats.outstanding = 0;
    for (const session of sessions) session.destroy();
  },
  unbind: () => {
    for (const session of sessions) session.unbind();
  },
  stats: () => {
    const often = Math.max(0, ...new Set(numbers.values()));
    say({ event: 'stats', ...stats, numbers: numbers.size, often, statuses });
  },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { do: action, ...what } = JSON.parse(line);
  actions[action](what);
}).on('close', () => process.exit(0));

server.listen(Number(process.argv[2] || 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
