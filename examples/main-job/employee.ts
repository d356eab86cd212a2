import {
  Contained,
  field,
  IExternalObject,
  IPossibleWebhookPayload,
  implementer,
  pathOf,
  stored,
} from 'treehook'

/** What all processes of this example store and load. */
@stored('employees.Employee')
@implementer(IPossibleWebhookPayload, IExternalObject)
export class Employee extends Contained {
  @field accessor title = ''
  @field accessor phones: string[] = []

  /** What of an employee may leave the house. */
  toExternalObject(): unknown {
    return { path: pathOf(this), title: this.title, phones: [...this.phones] }
  }
}

export const BOB = '/NOAA/NWS/OUN/employees/Bob'
