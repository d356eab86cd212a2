export { type Console, runCommand } from './run-command.js'
