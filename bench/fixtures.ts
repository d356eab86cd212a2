import {
  Contained,
  type Database,
  Folder,
  field,
  IExternalObject,
  IPossibleWebhookPayload,
  implementer,
  Site,
  stored,
  traverse,
} from '../lib/index.js'

/** The standard record: ten fields, some 150 bytes when stored. */
@stored('bench.Employee')
@implementer(IPossibleWebhookPayload, IExternalObject)
export class Employee extends Contained {
  @field accessor employeeNumber = 0
  @field accessor firstName = ''
  @field accessor lastName = ''
  @field accessor email = ''
  @field accessor title = ''
  @field accessor office = ''
  @field accessor salary = STARTING_SALARY
  @field accessor hiredAtMs = 0
  @field accessor isActive = true
  @field accessor skills: readonly string[] = []

  static of(employeeNumber: number): Employee {
    const employee = new Employee()
    employee.employeeNumber = employeeNumber
    employee.firstName = `First${employeeNumber}`
    employee.lastName = `Last${employeeNumber}`
    employee.email = `employee${employeeNumber}@example.com`
    employee.title = 'Senior Forecaster'
    employee.office = 'Norman, Oklahoma'
    employee.hiredAtMs = 1_577_836_800_000 + employeeNumber
    employee.skills = ['radar', 'mesoscale', 'outreach']
    return employee
  }

  toExternalObject(): object {
    const { employeeNumber, firstName, lastName, email, title, office } = this
    const { salary, hiredAtMs, isActive, skills } = this
    const who = { employeeNumber, firstName, lastName, email, title, office }
    return { class: 'Employee', ...who, salary, hiredAtMs, isActive, skills }
  }
}

export const STARTING_SALARY = 50_000

/** As many as the National Weather Service has. */
const OFFICES = 122
/** Besides Bob. */
const STAFF = 99

export const SITES = ['/NOAA', '/NOAA/NWS', '/NOAA/NWS/OUN'] as const
export const NWS = '/NOAA/NWS'
export const OUN = '/NOAA/NWS/OUN'
export const BOB = '/NOAA/NWS/OUN/employees/Bob'

/**
 * Three sites, one in the other, the innermost among 122 offices and with 100 employees, of whom one
 * is Bob.
 */
export async function buildOffices(database: Database): Promise<void> {
  await database.transaction(({ root }) => {
    const nws = root.set('NOAA', new Site()).set('NWS', new Site())
    const employees = nws.set('OUN', new Site()).set('employees', new Folder<Employee>())
    employees.set('Bob', Employee.of(0))
    for (let number = 1; number <= STAFF; number++) {
      employees.set(staffName(number), Employee.of(number))
    }
    for (let number = 1; number < OFFICES; number++) {
      nws.set(`W${String(number).padStart(2, '0')}`, new Folder())
    }
  })
}

/** Adds a folder with `count` employees to what is at `path`. */
export async function buildStaff(
  database: Database,
  { path, name, count }: { readonly path: string; readonly name: string; readonly count: number },
): Promise<void> {
  await database.transaction(({ root }) => {
    const folder = traverse(root, path, Folder).set(name, new Folder<Employee>())
    for (let number = 0; number < count; number++) {
      folder.set(staffName(number), Employee.of(number))
    }
  })
}

/** The name of an employee in the folder that holds it. */
export function staffName(number: number): string {
  return `employee-${String(number).padStart(4, '0')}`
}
