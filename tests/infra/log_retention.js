// Runs the custom resource's function with log groups in memory: node log_retention.js FUNCTION REQUEST...
// Prints, for each request, the status that the function sends to CloudFormation, and all log groups at the end.
"use strict";
const Module = require("module");
const https = require("https");

const groups = JSON.parse(process.env.LOG_GROUPS);
const statuses = [];

class Command {
  constructor(input) {
    this.input = input;
  }
}
const fail = (name) => {
  throw Object.assign(new Error(name), { name });
};
const sdk = {
  CreateLogGroupCommand: class extends Command {
    run() {
      if (this.input.logGroupName in groups) fail("ResourceAlreadyExistsException");
      groups[this.input.logGroupName] = null;
    }
  },
  PutRetentionPolicyCommand: class extends Command {
    run() {
      if (!(this.input.logGroupName in groups)) fail("ResourceNotFoundException");
      groups[this.input.logGroupName] = this.input.retentionInDays;
    }
  },
  DeleteLogGroupCommand: class extends Command {
    run() {
      delete groups[this.input.logGroupName];
    }
  },
  CloudWatchLogsClient: class {
    async send(command) {
      return command.run();
    }
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === "@aws-sdk/client-cloudwatch-logs" ? sdk : load(name, ...rest));
https.request = (_options, done) => ({
  on() {},
  write: (body) => statuses.push(JSON.parse(body).Status),
  end: () => done(),
});
console.log = () => {};

(async () => {
  const [path, ...requests] = process.argv.slice(2);
  const { handler } = require(path);
  for (const request of requests) await handler(JSON.parse(request), { functionName: "retention" });
  process.stdout.write(JSON.stringify({ statuses, groups }));
})();
