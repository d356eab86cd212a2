export { type Certificate, type CertificateOptions, makeCertificate } from './certificate.js'
export {
  type ContractFact,
  type DataManagerContractOptions,
  type DataManagerSubject,
  dataManagerContract,
} from './data-manager-contract.js'
export { FakeClock } from './fake-clock.js'
export {
  type LocalAnswer,
  type LocalReceiver,
  type LocalReceiverOptions,
  startLocalReceiver,
} from './local-receiver.js'
export type { ReceivedRequest, ReceiverAnswer } from './received-request.js'
export {
  type ReceiverProcess,
  type ReceiverProcessOptions,
  startReceiverProcess,
} from './receiver-process.js'
export {
  type RecordedAnswer,
  type RecordedRequest,
  RecordingTransport,
  type RecordingTransportOptions,
} from './recording-transport.js'
